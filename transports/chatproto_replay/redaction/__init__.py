"""What of an exchange is recorded.

``allowed`` is the list of headers and query parameters that are; ``bodies`` the rules of ``redact=``, which change the
``literals`` of JSON text; ``searching`` looks for credentials in what is left; ``changing`` applies rules to a cassette
that is there already.
"""
