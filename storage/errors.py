"""What can go wrong with stored objects.

StorageError            the message is written for the operator
├── InvalidKey          the name cannot be that of an object
├── ObjectNotFound      no object has this key
├── ObjectExists        the key is taken; objects are put once
├── UploadNotFound      no such resumable upload, or it has ended
├── UploadBusy          something else is being done with the upload at this moment
├── OffsetMismatch      bytes were offered for another place than the upload's end
├── StoreFull           no room for more bytes
└── StoreUnavailable    the store cannot be reached or does not answer; trying again may help
"""


class StorageError(Exception):
    """Base of the storage errors."""


class InvalidKey(StorageError):
    pass


class ObjectNotFound(StorageError):
    pass


class ObjectExists(StorageError):
    pass


class UploadNotFound(StorageError):
    pass


class UploadBusy(StorageError):
    pass


class OffsetMismatch(StorageError):
    def __init__(self, offered: int, expected: int) -> None:
        super().__init__(f"upload offset is {expected}, not {offered}")
        self.expected = expected


class StoreFull(StorageError):
    pass


class StoreUnavailable(StorageError):
    pass
