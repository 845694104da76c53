"""The bare bot that Ajar is measured against: an echo, as python-telegram-bot shows it on its front page.

python -m tests.bench.echo TOKEN BASE_URL [CONCURRENT_UPDATES]
"""

import sys
import warnings

from telegram import Update
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters


async def echo(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    if update.message and update.message.text:
        await update.message.reply_text(update.message.text)


def main(token: str, base_url: str, concurrent: int) -> None:
    builder = ApplicationBuilder().token(token).base_url(base_url)
    if concurrent:
        builder = builder.concurrent_updates(concurrent)
    application = builder.build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    application.run_polling()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
