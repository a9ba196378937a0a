"""Search for settings of a recipe on a user's data, with runs as trials and a metric as judge."""
