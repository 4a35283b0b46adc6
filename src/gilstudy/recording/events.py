"""What happened in a lesson: who did what, and when. The events of a play are kept in the order of their times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

EventKind = Literal["started", "said", "waits", "goes-on", "acquired", "released", "deadlock", "ended"]
Ending = Literal["ended", "deadlock", "timeout", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that one thread did."""

    at_ns: int
    """Since the play began."""
    pid: int
    thread_id: int
    """The operating system's id of the thread."""
    process: str
    """The name of its process."""
    thread: str
    """The name of the thread; "" for the main thread of its process."""
    kind: EventKind
    text: str
    """What was said, waited for or held."""

    @property
    def name(self) -> str:
        """The name of the thread, or that of the process for its main thread."""
        return self.thread or self.process

    @property
    def numbers(self) -> tuple[int, ...]:
        """All whole numbers in the text."""
        return tuple(int(digits) for digits in re.findall(r"\d+", self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """All that one thread did."""

    pid: int
    thread_id: int
    process: str
    thread: str
    events: tuple[Event, ...]

    @property
    def name(self) -> str:
        """The name of the thread, or that of the process for its main thread."""
        return self.thread or self.process

    @property
    def said(self) -> tuple[Event, ...]:
        """The lines that it printed."""
        return self.of("said")

    def of(self, kind: EventKind) -> tuple[Event, ...]:
        """Its events of one kind."""
        return tuple(event for event in self.events if event.kind == kind)

    @property
    def began_ns(self) -> int:
        """When it did the first thing that was seen."""
        return self.events[0].at_ns

    @property
    def ended_ns(self) -> int:
        """When it did the last thing that was seen."""
        return self.events[-1].at_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One run of a lesson's program."""

    program: str
    main_pid: int
    ending: Ending
    """How it ended: by itself; or ended from outside after a deadlock or its time limit; or with an error."""
    trouble: str
    """The last words of a program that failed; "" otherwise."""
    elapsed_ns: int
    events: tuple[Event, ...]

    @property
    def said(self) -> tuple[Event, ...]:
        """All lines that were printed, in the order of their times."""
        return tuple(event for event in self.events if event.kind == "said")

    @property
    def lanes(self) -> tuple[Track, ...]:
        """One for each thread, in the order in which they began; the program's own main thread comes first."""
        grouped: dict[tuple[int, int, str, str], list[Event]] = {}
        for event in self.events:
            grouped.setdefault((event.pid, event.thread_id, event.process, event.thread), []).append(event)
        lanes = [
            Track(pid=pid, thread_id=thread_id, process=process, thread=thread, events=tuple(events))
            for (pid, thread_id, process, thread), events in grouped.items()
        ]
        return tuple(sorted(lanes, key=lambda lane: (lane.pid != self.main_pid or lane.thread != "", lane.began_ns)))

    def lane(self, name: str) -> Track:
        """The lane of that name.

        Raises:
            LookupError: there is none, so the program did not do what it should.
        """
        for lane in self.lanes:
            if lane.name == name:
                return lane
        raise LookupError(f"{self.program}: nothing was seen of {name}")


def parse(lines: Iterable[str], *, start_ns: int = 0) -> Iterator[Event]:
    """The events of a recorder's lines; ``start_ns`` becomes time 0."""
    for line in lines:
        at_ns, pid, thread_id, process, thread, kind, text = json.loads(line)
        yield Event(
            at_ns=at_ns - start_ns,
            pid=pid,
            thread_id=thread_id,
            process=process,
            thread=thread,
            kind=kind,
            text=text,
        )


def in_order(events: Iterable[Event], main_pid: int) -> tuple[Event, ...]:
    """The events in the order of their times, without helper processes that did nothing of the program."""
    known = sorted(events, key=lambda event: event.at_ns)
    busy = {main_pid} | {event.pid for event in known if event.kind not in ("started", "ended")}
    busy |= {event.pid for event in known if event.process != "MainProcess"}
    return tuple(event for event in known if event.pid in busy)
