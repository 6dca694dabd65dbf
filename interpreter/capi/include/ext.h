/* ext.h - the name under which the extension architecture document includes the API. */
#include "miniscript.h"
