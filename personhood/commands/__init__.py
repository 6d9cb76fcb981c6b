"""The commands, a module a room. Heavy imports wait until a command needs them."""
