import ConclaveTool
import Glibc

exit(Conclave.main())
