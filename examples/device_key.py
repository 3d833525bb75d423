"""Get a key for one purpose from the Handfast agent: docs/device-api.md."""

import json
import os
import socket
import sys

request = {"v": 1, "service": "contacts", "purpose": "sync", "direction": "to-service"}
home, runtime = os.environ.get("HANDFAST_HOME"), os.environ.get("XDG_RUNTIME_DIR", "")
with socket.socket(socket.AF_UNIX) as agent:
    agent.connect(f"{home}/run/agent" if home else f"{runtime}/handfast/agent")
    agent.sendall(json.dumps(request).encode() + b"\n")
    answer = json.loads(agent.makefile().readline())
if "error" in answer:
    sys.exit(answer["error"]["message"])
print(answer["key_id"])
