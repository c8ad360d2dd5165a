"""Names of the files by which engine, ops process and command line find each other."""

STATE_FILE, CONTROL_FILE, ADDRESS_FILE = "state", "control", "http"
"""In the folder that engine and ops share: the engine's state, its control socket, where ops listens."""
GUARDIAN_FILE = "guardian"
"""In the same folder: the guardian's socket."""
RUNNING_FILE, HALT_FILE = "running", "HALT"
"""In the journal folder: where a running engine can be reached, and an operator's order to halt."""
