#!/bin/bash
# The JavaScript that the library embeds, and that of the sample bundles, parses.  node tells a script from a module by
# the file's name only, so a module is shown to it under another one.
status=0
while read -r file; do
    shown=$file
    if grep -qE '^(import|export)\b' "$file"; then
        shown=$TMPDIR/module.mjs
        cp "$file" "$shown"
    fi
    if node --check "$shown"; then echo "ok $file"; else
        echo "not ok $file"
        status=1
    fi
done < <(find src/embedded bundles -name '*.js' -o -name '*.mjs')
rm -f "$TMPDIR/module.mjs"
# Of a file that is not ASCII the start-up snapshots hold the whole text, at two bytes a character.
wide=$(grep -lP '[^\x00-\x7f]' src/embedded/*/*.js)
if [[ -z $wide ]]; then echo 'ok all is ASCII'; else
    echo "not ok all is ASCII: $wide"
    status=1
fi
exit $status
