"""The worker: a process beside portal and exchange for what nobody waits for."""
