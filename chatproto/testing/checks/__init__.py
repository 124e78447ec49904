"""The checks of the transport contract, by subject. ``chatproto.testing.conformance`` puts them together."""
