"""Experience: which policy pack is in force, what people set, and the decision for an account."""
