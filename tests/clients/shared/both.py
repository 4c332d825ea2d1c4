"""Runs the same calls against PostgreSQL and against InfloWave, and compares what they give."""

import sys


def compare(calls, least):
    """`calls(url)` gives a list of (what, result); at least so many."""
    postgres, inflowave = sys.argv[1:3]
    expected, found = calls(postgres), calls(inflowave)
    assert len(expected) >= least, len(expected)
    for theirs, ours in zip(expected, found):
        assert theirs == ours, f"\n  PostgreSQL {str(theirs)[:2000]}\n  InfloWave  {str(ours)[:2000]}"
    assert len(expected) == len(found)
    print(f"{len(found)} results are the same")
