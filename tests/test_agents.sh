#!/bin/bash
# The loop of docs/agents.md does what the page shows, in at most 60 lines.
# shellcheck source=tests/cli/tools.sh
. tests/cli/tools.sh
python3 docs/examples/agent.py "$aardvark" >"$out" 2>"$err"
rc=$?
check 'the loop runs' 'exits 0' stderr_empty "diff <(sed -n '/^\\$ python3/,/^\`\`\`/p' docs/agents.md | sed '1d;\$d') \"\$out\""
check 'it is short' '(($(wc -l <docs/examples/agent.py) <= 60))'
exit $status
