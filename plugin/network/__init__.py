"""HTTP as the device speaks it: one deadline, small answers, no redirects."""
