"""The main job with everything real: portal, exchange, mail server, browser and handler."""
