//! What `sys` shows and sets of the running interpreter.

use crate::Vm;
use crate::builtins::Type;
use crate::object::record::Module;
use crate::value::Value;

impl Vm {
    /// The exception being handled by the running task.
    pub fn handled_exception(&self) -> Option<Value<'_>> {
        let v = self.word_value(self.st.handled.get());
        (!v.is_empty()).then_some(v)
    }

    /// Most frames of a task.
    pub fn recursion_limit(&self) -> usize {
        self.st.recursion_limit.get()
    }

    /// Sets the most frames of a task.
    pub fn set_recursion_limit(&self, limit: usize) {
        self.st.recursion_limit.set(limit);
        self.st.rearm();
    }

    /// A module object over the namespace of the builtins.
    pub fn builtins_module(&self) -> Value<'_> {
        let d = self.builtins();
        let name = self.word_value(self.names.__name__);
        let module = self.heap.alloc(Module::new(Type::Module.shape(), Value::object(d)), 0, false);
        let _ = self.dict_set_name(d, name, self.word_value(self.names.builtins));
        Value::object(module)
    }
}
