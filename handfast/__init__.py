"""The device as an installed package: ``run`` finds the device's code and starts it."""
