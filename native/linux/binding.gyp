{
  "targets": [
    {
      "target_name": "hsu_native",
      "sources": [
        "../shared/hsu/glue/addon.cc",
        "src/birth.cc",
        "src/capture.cc",
        "src/child.cc",
        "src/child_limits.cc",
        "src/connections.cc",
        "src/engine.cc",
        "../shared/hsu/glue/engine_object.cc",
        "src/exec.cc",
        "src/file.cc",
        "src/group_usage.cc",
        "src/identity.cc",
        "src/kept_files.cc",
        "src/launch.cc",
        "src/process_limits.cc",
        "../shared/hsu/glue/limits_object.cc",
        "src/lock.cc",
        "src/musl.cc",
        "src/orphans.cc",
        "src/ports.cc",
        "src/probe.cc",
        "src/process_usage.cc",
        "src/proctable.cc",
        "src/proctable_look.cc",
        "../shared/hsu/glue/proctable_object.cc",
        "src/proctable_sockets.cc",
        "src/pump/disk.cc",
        "src/pump/lanes.cc",
        "src/pump/log_file.cc",
        "src/pump/pump.cc",
        "src/pump/rotation.cc",
        "src/pump/scratch.cc",
        "src/pump/spool.cc",
        "src/pump/spool_writer.cc",
        "src/pump/turns.cc",
        "../shared/hsu/pump/format.cc",
        "../shared/hsu/pump/json.cc",
        "../shared/hsu/glue/pump_object.cc",
        "src/sampler.cc",
        "../shared/hsu/glue/sampler_object.cc",
        "src/spawner.cc",
        "src/usage.cc",
        "../shared/hsu/glue/usage_object.cc",
        "src/users.cc",
        "src/waiter.cc"
      ],
      "include_dirs": ["../shared", "src"],
      # A worker thread that is being terminated takes no exceptions: without the third the process would abort. With the fourth
      # what C++ itself throws, as where there is no memory, becomes an error of JavaScript.
      "defines": [
        "NAPI_VERSION=9",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_ADDON_API_CPP_EXCEPTIONS_ALL"
      ],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
      "cflags": ["-Wall", "-Wextra", "-fvisibility=hidden"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions", "-fno-rtti"],
      "cflags_cc": ["-std=c++20"],
      # Bound at load, because a child must not enter the dynamic linker; never unloaded, because signal handlers
      # and children at their gates run its code.
      "ldflags": ["-Wl,-z,now", "-Wl,-z,nodelete"]
    }
  ]
}
