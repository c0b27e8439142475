"""How long the tests wait, seconds: no bound that judges the code, let alone the machine."""

PATIENCE = 30.0  #: nothing that works takes so long, on a busy machine either
FAR = 1000.0  #: of a deadline that is not to come into it
