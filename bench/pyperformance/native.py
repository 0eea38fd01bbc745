"""The program of the request on stdin, in this very Python."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guest import measure  # noqa: E402

figures = measure(**json.load(sys.stdin))
print("\x01" + json.dumps(figures))
