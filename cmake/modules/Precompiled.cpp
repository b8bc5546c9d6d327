//===- Precompiled.cpp - What owns the precompiled headers ----------------===//

#include "Precompiled.h"
