"""Telegram: the only place that imports `telegram`.

The way of an update, from the socket to its answer, and what is left if the process dies there:

1. `polling`, or `bot/web/server.py`, receives it as JSON. Nothing is confirmed: Telegram sends it again.
2. `inbox` parses it (`updates`) and finds what it does (`dispatch`). With the others that have come meanwhile it is
   written down, sealed, in one commit, and then confirmed. From now on its row keeps it: the next start, or another
   process, goes on with whatever isn't marked as handled.
3. `lanes` hands out the updates of one user one after the other, those of different users side by side.
4. `turn` opens one transaction: it marks the update as handled, if our claim on it still holds, calls the use case by
   the route that `table` declares, and adds the answer as a row of the outbox, a Result without words. After a kill
   before its commit, none of it has happened.
5. `bot/delivery/outbox.py` sends the answer at once, from memory: `answers` has the Result turned into a screen
   (`rendering`, `screens`) and shows it (`sender`, `client`, `network`). After a kill the answer is still a row. If the
   message was perhaps on its way, that is counted: an answer comes at most three times.
6. The outbox settles what was said: the answer's row goes, and of the update's row everything but its id.

docs/design.md goes this way with an example, and says why it is built like this.
"""

import os

# python-telegram-bot warns about every duration unless it is told to return timedeltas, as it will from v23 on.
os.environ.setdefault("PTB_TIMEDELTA", "1")
