"""A fresh process with one sandbox and one result."""

import eryx

print(eryx.Sandbox().execute("result = 1 + 1").result)
