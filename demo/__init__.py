"""The main job, shown: portal, exchange, mail server, browser and handler on one machine."""
