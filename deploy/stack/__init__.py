"""The one command: starts, watches and stops a private Oja on this machine."""
