#include "platform_object.h"

namespace hsu {

void define_platform(Napi::Env, Napi::Object) {}

}  // namespace hsu
