#include "android_bench/runner/timed.h"

#include "android_bench/runner/profile.h"
#include "android_bench/runner/sampling.h"
#include "android_bench/runner/sensors.h"

namespace mobilekit {

Timing RunTimed(const Arguments& arguments, const std::vector<Bytes>& values, Model* model,
                LoadModel* beside, std::vector<Bytes>* outputs, Json* document) {
  Profile profile(model->subgraph(), model->num_nodes(), arguments.delegate);
  std::vector<litert::ProfiledEvent> events;
  const auto invoke = [&] {
    if (!arguments.profile) return model->Invoke(values, outputs);
    const Sample sample = model->InvokeProfiled(values, outputs, &events);
    profile.Add(events);
    return sample;
  };
  Sensors sensors(arguments.sysfs_root);
  const bool sampled = arguments.sensors_secs > 0 && sensors.any();
  Sampler sampler(&sensors, arguments.sensors_secs);
  const auto between = [&](const Moment& moment) {
    if (moment.index == 0) profile.Clear();  // the warm-up's
    if (sampled) sampler.Between(moment);
  };
  if (beside != nullptr) beside->load().Start();
  Timing timing = Measure(arguments.timing, invoke, RealClock(), between);
  if (beside != nullptr) {
    beside->load().Stop();
    (*document)["load"] = beside->Report();
  }
  if (arguments.profile) (*document)["profile"] = profile.Rows();
  (*document)["windows"] = sampled ? sampler.Windows() : Json();
  if (!sampled) {
    (*document)["unread"]["windows"] =
        arguments.sensors_secs > 0 ? "no sensor is readable here" : "--sensors off was asked for";
  }
  return timing;
}

}  // namespace mobilekit
