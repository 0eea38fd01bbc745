"""The program of the request on stdin, in Eryx."""

import json
import os
import sys

import eryx

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest.py"), encoding="utf-8") as source:
    guest = source.read()
request = json.load(sys.stdin)
session = eryx.Session()
session.execute(guest)
outcome = session.execute(f"import json\nresult = json.dumps(measure(**json.loads({json.dumps(request)!r})))")
print("\x01" + json.loads(outcome.result_json))
