"""One daily job per person on APScheduler, in memory, as its manual shows it: what Ajar has an index for.

It reads orders from its standard input and answers each with a line of JSON:
  grow COUNT SECONDS  add jobs until there are COUNT or the time is up: how many there are, seconds, MiB of memory
  look                a look that finds nothing due: milliseconds
  due COUNT           make this many due, and run them: milliseconds
"""

import asyncio
import json
import sys
import time
from datetime import timedelta
from typing import Any

import psutil
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from bot.clock import SystemClock

RULES = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
CHECK_EVERY = 500


class Jobs:
    """The scheduler. While it is paused, an added job doesn't wake it, as before it has started."""

    def __init__(self) -> None:
        self.count = 0
        self.asked = 0
        self.scheduler = AsyncIOScheduler(timezone="UTC", job_defaults=RULES)
        self.scheduler.start(paused=True)

    async def ask(self, _user_id: int) -> None:
        self.asked += 1

    async def grow(self, count: int, seconds: float) -> dict[str, Any]:
        began, soon, grown = time.perf_counter(), SystemClock().now() + timedelta(hours=1), count - self.count
        self.scheduler.pause()
        while self.count < count:
            at = soon + timedelta(hours=22) * (count - self.count) / grown
            trigger = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone="UTC")
            self.scheduler.add_job(self.ask, trigger, [self.count], id=str(self.count))
            self.count += 1
            if self.count % CHECK_EVERY == 0 and time.perf_counter() - began > seconds:
                break
        took = time.perf_counter() - began
        self.scheduler.resume()
        return {"count": self.count, "seconds": took, "memory": psutil.Process().memory_info().rss / 2**20}

    async def look(self) -> float:
        began = time.perf_counter()
        self.scheduler._process_jobs()
        return 1000 * (time.perf_counter() - began)

    async def due(self, count: int) -> float:
        self.scheduler.pause()
        now, wanted = SystemClock().now(), self.asked + count
        for number in range(count):
            self.scheduler.modify_job(str(number), next_run_time=now)
        self.scheduler.resume()
        began = time.perf_counter()
        self.scheduler._process_jobs()
        while self.asked < wanted:  # noqa: ASYNC110  # a job of APScheduler's tells nobody that it has run
            await asyncio.sleep(0)
        return 1000 * (time.perf_counter() - began)


async def main() -> None:
    jobs = Jobs()
    for line in sys.stdin:  # nothing else has to go on meanwhile
        order, *numbers = line.split()
        if order == "grow":
            answer: Any = await jobs.grow(int(numbers[0]), float(numbers[1]))
        else:
            answer = await (jobs.due(int(numbers[0])) if order == "due" else jobs.look())
        print(json.dumps(answer), flush=True)  # noqa: T201
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main())
