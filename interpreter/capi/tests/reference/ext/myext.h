// src/ext/myext.h
#ifndef MYEXT_H
#define MYEXT_H

#include "ext.h"

ms_extension_t* ms_myext_create(void);
void ms_myext_destroy(ms_extension_t* ext);

#endif
