// The convolutions of a level, in the namespace that task.h declares them in. Included at the end
// of each level's file, after Floats.

void convolve(const ConvTask& task) noexcept { conv_task<Floats, false>(task); }
void weight_gradient(const ConvTask& task) noexcept { conv_task<Floats, true>(task); }
