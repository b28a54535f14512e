import Glibc

exit(Conclave.run().rawValue)
