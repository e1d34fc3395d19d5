"""The kiosk's pages: handlers, presentation, static files."""
