"""What passes in node has to pass here: 97 of 100, and what does not stands in differences.txt with a reason.

usage: compare.py NODE.xml OURS.xml DIFFERENCES
"""

import fnmatch
import sys
import xml.etree.ElementTree as tree


def verdicts(path):
    found = {}
    for case in tree.parse(path).iter("testcase"):
        what = {child.tag: child for child in case}
        bad = what.get("failure", what.get("error"))
        name = f"{case.get('classname').split('.')[-1]}::{case.get('name')}"
        if bad is not None:
            found[name] = ("fail", (bad.get("message") or "").split("\n")[0][:200])
        else:
            found.setdefault(name, ("skip" if "skipped" in what else "ok", ""))
    return found


def main(node, ours, differences):
    with open(differences, encoding="utf-8") as file:
        rows = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
    assert all(len(row) == 2 for row in rows), "differences.txt: a line without a reason"
    theirs, here = verdicts(node), verdicts(ours)
    wanted = [name for name, (verdict, _) in theirs.items() if verdict == "ok"]
    missing = [(name, *here.get(name, ("missing", ""))) for name in wanted]
    missing = [row for row in missing if row[1] != "ok"]
    known = lambda name: any(fnmatch.fnmatchcase(name.replace("[", "("), row[0].replace("[", "(")) for row in rows)
    failures = [row for row in missing if not known(row[0])]
    for name, verdict, why in failures:
        print(f"not ok {name}: {verdict} {why}")
    share = 1 - len(missing) / max(1, len(wanted))
    print(f"of {len(wanted)} that pass in node {share:.1%} pass here; {len(missing) - len(failures)} differ for a reason that is given")
    print(f"{len(wanted) - len(failures)} passed, {len(failures)} failed")
    return bool(failures) or share < 0.97 or not wanted


sys.exit(main(*sys.argv[1:]))
