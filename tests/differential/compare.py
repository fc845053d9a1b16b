"""Compares the verdicts of the crate and of other libraries: `compare.py DIFFERENCES CASES OURS PEER...`

Every difference has to belong to a class in the tables of `differences.md`. A class is tied to how the token was
made, to what the crate said, and to the libraries that said otherwise. It fails on:

- a difference that belongs to no class, or to two;
- a token that the crate accepts and all others refuse, whatever its class;
- an ordinary token that the crate does not accept;
- two libraries that accept one token and hand out different payloads;
- a class, or a part of one, that nothing belongs to any more;
- a panic, and a case without a verdict;
- an algorithm that no library but this crate judges.
"""

import json
import re
import sys
from collections import Counter


def rules(path):
    """The rows `| class | made by | here | elsewhere | reason |`; (made by, here, who) leads to the class."""
    found = {}
    for line in open(path, encoding="utf-8"):
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("| `") or len(cells) != 5:
            continue
        name, made, here, there, reason = cells
        assert reason, f"{name} has no reason"
        for why in re.findall("`([^`]+)`", made):
            for verdict in re.findall("`([^`]+)`", here):
                for who in there.split(", "):
                    key = (why, verdict, who)
                    assert key not in found, f"two classes for {key}"
                    found[key] = name.strip("`")
    return found


def verdicts(path, name=None):
    lines = [json.loads(line) for line in open(path, encoding="utf-8")]
    if name is None:
        about = lines.pop(0)
        print(f"{about['name']} {about['version']}")
        name = about["name"]
    return name, lines


def main(differences, cases, ours, *peers):
    known, used, classes, faults = rules(differences), Counter(), Counter(), []
    cases = [json.loads(line) for line in open(cases, encoding="utf-8")]
    ours, peers = verdicts(ours, "countersign")[1], dict(verdicts(peer) for peer in peers)
    for lines in [ours, *peers.values()]:
        assert [line["id"] for line in lines] == [case["id"] for case in cases], "a case without a verdict"

    results, agreed, counts = Counter(), 0, {}
    for place, case in enumerate(cases):
        here, there = ours[place], {name: lines[place] for name, lines in peers.items()}
        verdict = here.get("detail", here["result"])
        said = f"{case['why']}: {verdict} here; " + ", ".join(
            f"{n}: {t['result']} {t.get('detail', '')}" for n, t in there.items()
        )

        def fault(what, said=said, case=case):
            faults.append(f"{what}\n  {said}\n  {json.dumps(case)[:1500]}")

        results[here["result"]] += 1
        if here["result"] not in ("accept", "reject"):
            fault("neither accepted nor refused")
        if here["result"] != "accept" and case["why"].startswith("ordinary: "):
            fault("an ordinary token that is not accepted")
        asked = {name: line for name, line in there.items() if line["result"] != "unsupported"}
        if here["result"] == "accept" and asked and all(line["result"] == "reject" for line in asked.values()):
            if len(asked) == len(there):
                fault("accepted here and by nobody else")
        for name, line in there.items():
            judged = "unsupported" if name not in asked else "same" if line["result"] == here["result"] else "different"
            counts.setdefault((case["alg"], name), Counter())[judged] += 1
        for name, line in asked.items():
            if line["result"] == here["result"]:
                agreed += 1
                if (
                    here["result"] == "accept"
                    and case["mode"] == "jws"
                    and line["payload_b64u"] != here["payload_b64u"]
                ):
                    fault(f"another payload than from {name}")
                continue
            key = (case["why"], verdict, name)
            if key in known:
                used[key] += 1
                classes[known[key], name] += 1
            else:
                fault(f"a difference from {name} that belongs to no class")

    print(
        f"{len(cases)} cases: {results['accept']} accepted here, {results['reject']} refused; {agreed} verdicts of others are the same"
    )
    for (alg, name), count in counts.items():
        if count["same"]:
            print(f"{alg} {name}: {count['same']} verdicts are the same, {count['different']} differ")
    for alg in {alg for alg, _ in counts}:
        if not any(count["same"] for (of, _), count in counts.items() if of == alg):
            faults.append(f"no other library judges {alg}")
    for (name, who), count in sorted(classes.items()):
        print(f"{count:6}  {name} ({who})")
    idle = [key for key in known if not used[key]]
    for key in idle:
        faults.append(f"a part of the class {known[key]!r} that nothing belongs to: {key}")
    if faults:
        sys.exit("\n".join(faults[:200]) + f"\n{len(faults)} faults")
    print(
        f"{sum(classes.values())} differences, each of a known class; nothing is accepted here that all others refuse"
    )


main(*sys.argv[1:])
