"""`ajar run` without a limit on messages a second, to measure how many are possible: AJAR_RATE allows at most 1,000."""

import uvloop

from bot import logs
from bot.app import run
from bot.config import load

if __name__ == "__main__":
    config = load(need_token=True)
    logs.setup(config.log_level, config.log_format, config.secrets)
    uvloop.run(run(config.model_copy(update={"rate": 1e9})))
