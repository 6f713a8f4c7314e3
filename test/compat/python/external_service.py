"""What kafka-python's test fixtures import as test.service, and its source distribution leaves out: a broker that
somebody else runs needs nothing done to it."""


class ExternalService:
    def __init__(self, host, port):
        self.host = host
        self.port = port

    def dump_logs(self):
        pass

    def stop(self):
        pass


class SpawnedService:
    def __init__(self, *_args, **_options):
        raise RuntimeError('these tests start no server of their own')
