"""What an operator does to messages: look, handle again, put aside, count, rebuild.

Everything is done with the rights of the service that it is about, and may be done twice.
"""
