#pragma once

// By the names of the shared glue. There is one pump for all disks here: a path may lead to any of them, and nobody tells when that changes.

#include "pump.h"

namespace hsu::pump {

using LanesOptions = PumpOptions;
using Lanes = Pump;

}  // namespace hsu::pump
