// The one place that includes Node-API, so that its configuration cannot be missed. Compile definitions that
// it needs (no C++ exceptions, nothing deprecated) are set by CMake for this layer.
#pragma once

#include <napi.h>
