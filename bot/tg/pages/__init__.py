"""HTML pages that are sent as files, made with Jinja2, which escapes all values."""
