"""Modules of its own beside it, named as those of the standard library that others may have imported already."""

import json
import platform
import queue
import statistics

import rich
import summary

print(json.mine, platform.mine, queue.mine, rich.mine, statistics.mine, summary.mine)
