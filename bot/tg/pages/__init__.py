"""Pages that are sent as files: what a browser shows, made with Jinja2, which escapes everything that is put in."""
