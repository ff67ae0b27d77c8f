"""Virtual time, and one actor at a time.

Every actor is a thread that runs only while it holds the baton. It gives the baton away when it
sleeps; who comes next is whoever wakes up first, and the clock moves to that moment. So a run has
no real time in it and no race: the same sleeps give the same run.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from typing import Any


class Killed(BaseException):
    """The actor is dead. It reaches its next sleep or request never, nor does its `finally`."""


class Actor:
    """Somebody who acts: a client, an execution, an invocation. `scope` is whose work it does."""

    def __init__(self, name: str, target: Callable[[], None], scope: Any) -> None:
        self.name = name
        self.scope = scope
        self.dead = False
        self.ended = False
        self.target = target
        self.sandbox: Any = None  # what is global in a sandbox, while it does not run
        self.turn = 0  # the entry of the queue that counts
        self.gate = threading.Lock()
        self.gate.acquire()
        self.thread = threading.Thread(name=name, daemon=True)


class Scheduler:
    """The queue of the actors, by the time at which they wake up.

    `on_switch` is told who loses and who gets the baton. Times are seconds since the run began.
    """

    def __init__(self, on_switch: Callable[[Actor, Actor], None] = lambda old, new: None) -> None:
        self.now = 0.0
        self.troubles: list[BaseException] = []  # what actors raised: faults of the simulation
        self._on_switch = on_switch
        self._queue: list[tuple[float, int, Actor]] = []
        self._serial = 0
        self._actors: list[Actor] = []
        self._main = Actor("main", lambda: None, None)
        self._ending = False
        self.current = self._main

    def spawn(self, name: str, target: Callable[[], None], scope: Any = None) -> Actor:
        """A new actor; it begins when everybody who is due now has had their turn."""
        actor = Actor(name, target, scope)
        self._actors.append(actor)
        actor.thread = threading.Thread(target=self._live, args=(actor,), name=name, daemon=True)
        actor.thread.start()
        self._put(actor, self.now)
        return actor

    def sleep(self, seconds: float) -> None:
        """The current actor sleeps; nobody can wake it earlier."""
        due = self.now + max(0.0, seconds)
        self._park(due)
        while self.now < due:
            self._park(due)

    def wait(self, until: float, ready: Callable[[], bool]) -> bool:
        """Sleeps until `ready`, which is looked at when `wake` is called; False at the time-out."""
        while not ready():
            if self.now >= until:
                return False
            self._park(until)
        return True

    def wake(self, actor: Actor) -> None:
        """Lets an actor look whether what it waits for is there."""
        if not actor.ended and actor is not self.current:
            self._put(actor, self.now)

    def kill(self, actor: Actor) -> None:
        """The actor never does anything again."""
        actor.dead = True
        self.wake(actor)

    def run(self) -> None:
        """Runs until all have ended, or somebody calls `finish`; then kills who is left."""
        self._pass_on(self._main)
        self._main.gate.acquire()
        self._ending = True
        for actor in self._actors:
            if not actor.ended:
                actor.dead = True
                self.current = actor
                actor.gate.release()
                actor.thread.join()
        self._actors.clear()
        self._queue.clear()

    def finish(self) -> None:
        """Ends the run at the current actor's next sleep."""
        self._queue.clear()
        self._put(self._main, self.now)

    def _put(self, actor: Actor, due: float) -> None:
        self._serial += 1
        actor.turn = self._serial
        heapq.heappush(self._queue, (due, self._serial, actor))

    def _next(self) -> Actor:
        while self._queue:
            due, turn, actor = heapq.heappop(self._queue)
            if turn == actor.turn and not actor.ended:
                self.now = max(self.now, due)
                return actor
        return self._main

    def _park(self, due: float) -> None:
        me = self.current
        if me.dead:
            raise Killed
        self._put(me, due)
        if self._pass_on(me) is not me:
            me.gate.acquire()
        if me.dead:
            raise Killed

    def _pass_on(self, me: Actor) -> Actor:
        following = self._next()
        if following is not me:
            self._on_switch(me, following)
            self.current = following
            following.gate.release()
        return following

    def _live(self, actor: Actor) -> None:
        actor.gate.acquire()
        try:
            if not actor.dead:
                actor.target()
        except Killed:
            pass
        except BaseException as error:
            self.troubles.append(error)
        actor.ended = True
        if not self._ending:
            self._pass_on(actor)
