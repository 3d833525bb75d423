"""Get a key for one purpose from the Handfast agent: docs/device-api.md."""

import json
import socket
import subprocess
import sys

request = {"v": 1, "service": "contacts", "purpose": "sync", "direction": "to-service"}
where = subprocess.check_output(["handfast", "agent", "where"], text=True).rstrip("\n")
with socket.socket(socket.AF_UNIX) as agent:
    agent.connect(where)
    agent.sendall(json.dumps(request).encode() + b"\n")
    answer = json.loads(agent.makefile().readline())
if "error" in answer:
    sys.exit(answer["error"]["message"])
print(answer["key_id"])
