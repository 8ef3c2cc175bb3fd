"""The revisions of the contact lists.

A list is read again, page by page and off the path of any call, when its store
was written to; only for devices whose list someone has asked about lately.
"""
