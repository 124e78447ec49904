"""Tests that are played from cassettes, and recorded by an option.

``plugin`` is what pytest loads: options, fixtures, hooks. ``marking`` reads what a test says of its replay, ``running``
is the course of one test, ``watching`` the transport that it gets, ``interrupting`` runs a test once for each cut,
``keeping`` keeps a cassette for when its recording fails, ``telling`` says what has failed, and ``tallying`` counts.
"""
