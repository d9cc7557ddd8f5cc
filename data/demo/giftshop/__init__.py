"""The simulated gift shop of the demo, and of load tests of any size."""
