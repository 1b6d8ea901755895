"""The exam: unseen scripts through a running system, what came back against what was due, and the report of it.

Pure are `utterances`, `matching`, `timing`, `scores`, `scenario_scores`, `calibration` and `head_to_head`; `players`
talk to the system and to the engine, `loaders` read the annotation files of public benchmarks.
"""
