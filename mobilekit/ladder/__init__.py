"""The rescue ladder: from plain int8 upwards until a file's loss is shown to be within a budget.

`mobilekit.ladder.climb` climbs, `rungs` is the table of what is tried, `judging` decides.
"""
