"""A trained run behind HTTP, and a page that shows it while it is trained. It needs the extra `serve`."""
