# awk -f judge.awk -v most=N input=floors FLOORS input=exceptions EXCEPTIONS input=edges EDGES: "ok RULE" for each rule that
# holds, else "not ok RULE: what".
#
# FLOORS lists the rooms from the top, a floor a line.  An arrow goes to a lower floor or stays in its room.  EXCEPTIONS has
# "FILE FILE: reason" for arrows that are not so, or that would close a loop of files; one that is not needed fails.
/^#/ || NF == 0 { next }
input == "floors" { floors++; for (i = 1; i <= NF; i++) { floor[$i] = floors; rooms[++room_count] = $i } next }
input == "exceptions" {
    if (!match($0, /: ./)) complain("exceptions", $1 " has no reason")
    sub(/:$/, "", $2)
    excepted[$1 " " $2] = 1
    exceptions++
    next
}
$1 == "unbuilt" { complain("built", $2 " has no object file"); next }
$1 == "stray" { complain("rooms", $2 " is not C or C++: what runs inside of guests belongs into embedded"); next }
$1 == "file" { known[$2] = 1; inhabited[room_of($2)] = 1; next }
{
    if (!(room_of($2) in floor) || !(room_of($3) in floor)) next
    arrow = $2 " " $3
    if (!(arrow in how)) how[arrow] = $1 == "symbol" ? $4 : "its header"
    if ($1 == "symbol") uses[arrow] = 1
}
END {
    for (name in known)
        if (!(room_of(name) in floor)) complain("rooms", room_of(name) " (of " name ") is not in the list of floors")
    for (i = 1; i <= room_count; i++)
        if (!(rooms[i] in inhabited)) complain("rooms", rooms[i] " is on the list of floors and there is no such room")
    for (arrow in how)
        if (points_up(arrow)) {
            needed[arrow] = 1
            if (!(arrow in excepted)) complain("arrows", shown(arrow) " points up")
        }
    for (arrow in uses)
        if (!(arrow in excepted) && !points_up(arrow)) { split(arrow, end, " "); next_of[end[1]] = next_of[end[1]] " " end[2] }
    find_loop()
    for (arrow in excepted) {
        split(arrow, end, " ")
        if (!(arrow in how)) complain("exceptions", arrow " is not an arrow; take it off the list")
        else if (!(arrow in needed) && !reaches(end[2], end[1])) complain("exceptions", arrow " is allowed; take it off the list")
    }
    if (exceptions + 0 != most) complain("exceptions", exceptions + 0 " are listed, and not " most ": there are to be fewer with time, not more")
    split("built rooms arrows loops exceptions", rules, " ")
    for (i = 1; i in rules; i++) if (!(rules[i] in failed)) print "ok " rules[i]
}
function room_of(name) { sub(/\/[^\/]*$/, "", name); return name }
function complain(rule, what) { failed[rule] = 1; print "not ok " rule ": " what }
function shown(arrow,   end) { split(arrow, end, " "); return end[1] " -> " end[2] " (" how[arrow] ")" }
function points_up(arrow,   end, from, to) {
    split(arrow, end, " "); from = room_of(end[1]); to = room_of(end[2])
    return from != to && floor[to] <= floor[from]
}
# Takes away what nothing leads to, and what leads to nothing, until a loop is left or no file.
function find_loop(   name, changed, into, list, i, left, path, at) {
    for (name in known) left[name] = 1
    do {
        changed = 0
        for (name in into) delete into[name]
        for (name in left) { split(next_of[name], list, " "); for (i in list) if (list[i] in left) into[list[i]] = 1 }
        for (name in left) if (!(name in into) || !leads_on(name, left)) { delete left[name]; changed = 1 }
    } while (changed)
    for (name in left) {
        at = name
        while (!(at in path)) { path[at] = 1; at = leads_on(at, left) }
        path_text = at
        name = at
        do { i = leads_on(at, left); path_text = path_text " -> " i " (" how[at " " i] ")"; at = i } while (at != name)
        complain("loops", path_text)
        return
    }
}
function leads_on(name, left,   list, i) {
    split(next_of[name], list, " ")
    for (i = 1; i in list; i++) if (list[i] in left) return list[i]
    return ""
}
function reaches(from, to,   queue, head, tail, seen, list, i) {
    queue[++tail] = from
    seen[from] = 1
    while (head < tail) {
        if (queue[++head] == to) return 1
        split(next_of[queue[head]], list, " ")
        for (i in list) if (!(list[i] in seen)) { seen[list[i]] = 1; queue[++tail] = list[i] }
    }
    return 0
}
